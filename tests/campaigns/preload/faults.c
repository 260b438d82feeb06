/*
 * Make chosen file operations of a process fail, for the files below one folder
 * (see faults.py for the other side).
 *
 * MEMREPO_FAULTS_DIR       the folder
 * MEMREPO_FAULTS_CONTROL   a file of 4096 bytes, shared with whoever arms and disarms the fault
 *                          while the process runs
 *
 * Nothing fails until the control file says so. A sync that fails does not sync; a write that
 * fails has written its first half, as a disk does that fills up or dies in the middle.
 */
#include "interpose.h"

enum { ANY, OPEN, READ, WRITE, SYNC, TRUNCATE, UNLINK, MMAP, LOCK, N_KINDS };

/* The control file; faults.py packs and unpacks the same fields. */
struct control {
    uint64_t armed;
    uint64_t kind;      /* which operations count; ANY: all */
    uint64_t nth;       /* the first one that fails, from 1 */
    uint64_t error;     /* its errno */
    uint64_t forever;   /* 0: only that one; 1: all from then on */
    uint64_t seen;      /* operations of this kind since the fault was armed */
    uint64_t fired;     /* how many of them failed */
    uint64_t fired_kind;
    uint64_t counts[N_KINDS]; /* operations by kind since the process started, armed or not */
    char fired_name[256];     /* the file on which the first one failed */
};

static struct control *control;
static char names[MAX_FDS][64]; /* "" : not watched */
static char is_watched[MAX_FDS];

REAL(int, openat64, int, const char *, int, ...)
REAL(int, close, int)
REAL(ssize_t, read, int, void *, size_t)
REAL(ssize_t, pread64, int, void *, size_t, off64_t)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
REAL(int, ftruncate64, int, off64_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, unlinkat, int, const char *, int)
REAL(void *, mmap64, void *, size_t, int, int, int, off64_t)
REAL(int, fcntl64, int, int, ...)

__attribute__((constructor(102))) static void start(void)
{
    const char *path = getenv("MEMREPO_FAULTS_CONTROL");
    int fd;
    void *shared;
    if (!path)
        return;
    fd = real_openat64(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        _exit(99);
    shared = real_mmap64(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    real_close(fd);
    if (shared == MAP_FAILED)
        _exit(99);
    control = shared;
    watch("MEMREPO_FAULTS_DIR");
}

/* Count an operation; 1 (and errno set) when it must fail. */
static int must_fail(int kind, const char *name)
{
    uint64_t place;
    __atomic_add_fetch(&control->counts[kind], 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&control->armed, __ATOMIC_SEQ_CST))
        return 0;
    if (control->kind != ANY && control->kind != (uint64_t)kind)
        return 0;
    place = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (control->forever ? place < control->nth : place != control->nth)
        return 0;
    if (__atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST) == 1) {
        control->fired_kind = kind;
        strncpy(control->fired_name, name, sizeof control->fired_name - 1);
    }
    errno = (int)control->error;
    return 1;
}

static int on_watched(int fd)
{
    return control && fd >= 0 && fd < MAX_FDS && is_watched[fd];
}

static int open_watched(int dirfd, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    const char *name = control && absolute(dirfd, path, full) ? watched_name(full) : NULL;
    int fd;
    if (!name || ends_with(name, "marker"))
        return real_openat64(dirfd, path, flags, mode);
    if (must_fail(OPEN, name))
        return -1;
    fd = real_openat64(dirfd, path, flags, mode);
    if (fd >= 0 && fd < MAX_FDS) {
        size_t skip = strlen(name) < sizeof names[fd] ? 0 : strlen(name) - sizeof names[fd] + 1;
        strcpy(names[fd], name + skip);
        is_watched[fd] = 1;
    }
    return fd;
}

int open(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_watched(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_watched(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_watched(dirfd, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_watched(dirfd, path, flags, mode);
}

int close(int fd)
{
    if (on_watched(fd))
        is_watched[fd] = 0;
    return real_close(fd);
}

ssize_t read(int fd, void *data, size_t length)
{
    if (on_watched(fd) && must_fail(READ, names[fd]))
        return -1;
    return real_read(fd, data, length);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset)
{
    if (on_watched(fd) && must_fail(READ, names[fd]))
        return -1;
    return real_pread64(fd, data, length, offset);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
    return pread64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (on_watched(fd) && must_fail(WRITE, names[fd])) {
        int error = errno;
        if (real_write(fd, data, length / 2) < 0)
            length = 0;
        errno = error;
        return -1;
    }
    return real_write(fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    if (on_watched(fd) && must_fail(WRITE, names[fd])) {
        int error = errno;
        if (real_pwrite64(fd, data, length / 2, offset) < 0)
            length = 0;
        errno = error;
        return -1;
    }
    return real_pwrite64(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite64(fd, data, length, offset);
}

int ftruncate64(int fd, off64_t length)
{
    if (on_watched(fd) && must_fail(TRUNCATE, names[fd]))
        return -1;
    return real_ftruncate64(fd, length);
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

int fsync(int fd)
{
    if (on_watched(fd) && must_fail(SYNC, names[fd]))
        return -1;
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    if (on_watched(fd) && must_fail(SYNC, names[fd]))
        return -1;
    return real_fdatasync(fd);
}

int unlinkat(int dirfd, const char *path, int flags)
{
    char full[PATH_MAX];
    const char *name = control && absolute(dirfd, path, full) ? watched_name(full) : NULL;
    if (name && !ends_with(name, "marker") && must_fail(UNLINK, name))
        return -1;
    return real_unlinkat(dirfd, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

void *mmap64(void *address, size_t length, int prot, int flags, int fd, off64_t offset)
{
    if (on_watched(fd) && must_fail(MMAP, names[fd]))
        return MAP_FAILED;
    return real_mmap64(address, length, prot, flags, fd, offset);
}

void *mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
    return mmap64(address, length, prot, flags, fd, offset);
}

int fcntl64(int fd, int command, ...)
{
    va_list list;
    void *argument;
    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    if ((command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK)
        && on_watched(fd) && ((struct flock *)argument)->l_type != F_UNLCK
        && must_fail(LOCK, names[fd]))
        return -1;
    return real_fcntl64(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    void *argument;
    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    return fcntl64(fd, command, argument);
}
