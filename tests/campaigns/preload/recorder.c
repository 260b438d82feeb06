/*
 * Record what a process does to the files of one folder, in order, so that power losses can be
 * replayed from the log (see recorder.py for the reader and disk.py for the model of a disk).
 *
 * MEMREPO_RECORDER_DIR   the folder of the database, empty when the process starts
 * MEMREPO_RECORDER_LOG   the log to append to, outside that folder
 *
 * A line written to the file `marker` in that folder becomes a record of its own, so that what
 * the program promised stands in order with what it had written and synced by then. SQLite's
 * -shm is shared memory that is rebuilt at recovery and is left out.
 *
 * One mutex covers each operation together with its record: the log order is the real order.
 */
#include "interpose.h"

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, DIRSYNC, UNLINK, RENAME, MARK, EXISTING,
       SYNC_FAILED };

struct header {
    uint64_t sequence;
    uint32_t op;
    uint32_t file;
    uint64_t offset;
    uint64_t length; /* bytes of payload that follow */
};

#define FOLDER 0xfffffffeu
#define MARKER 0xfffffffdu
#define MAX_FILES 65536

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static uint64_t sequence;
static uint32_t fds[MAX_FDS];      /* 0: not watched */
static uint32_t n_files;           /* the newest file number; 0 means none */
static struct { dev_t dev; ino_t ino; int linked; } files[MAX_FILES];

REAL(int, open64, const char *, int, ...)
REAL(int, openat64, int, const char *, int, ...)
REAL(int, close, int)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
REAL(ssize_t, writev, int, const struct iovec *, int)
REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t)
REAL(int, ftruncate64, int, off64_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, unlinkat, int, const char *, int)
REAL(int, renameat, int, const char *, int, const char *)

__attribute__((constructor(102))) static void start(void)
{
    const char *log = getenv("MEMREPO_RECORDER_LOG");
    watch("MEMREPO_RECORDER_DIR");
    if (log)
        log_fd = real_open64(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        watched_length = 0;
}

static void record(uint32_t op, uint32_t file, uint64_t offset, const void *data, size_t length)
{
    struct header head = {sequence++, op, file, offset, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    int saved = errno;
    ssize_t done = syscall(SYS_writev, log_fd, parts, 2);
    if (done != (ssize_t)(sizeof head + length)) {
        static const char text[] = "recorder: the log could not be written\n";
        syscall(SYS_write, 2, text, sizeof text - 1);
        _exit(97);
    }
    errno = saved;
}

static uint32_t file_of(int fd)
{
    return fd >= 0 && fd < MAX_FDS ? fds[fd] : 0;
}

static int is_recorded(const char *name)
{
    return name && *name && !ends_with(name, "-shm");
}

/* Give the file behind a fresh descriptor its number; a new incarnation gets a new number. */
static void track(int fd, const char *name, int existed, int flags)
{
    struct stat64 status;
    uint32_t number;
    if (fd >= MAX_FDS || fstat64(fd, &status) != 0)
        return;
    if (S_ISDIR(status.st_mode)) {
        fds[fd] = FOLDER;
        return;
    }
    if (!is_recorded(name))
        return;
    if (strcmp(name, "marker") == 0) {
        fds[fd] = MARKER;
        return;
    }
    for (number = n_files; number > 0; number--)
        if (files[number].linked && files[number].dev == status.st_dev
            && files[number].ino == status.st_ino)
            break;
    if (number == 0) {
        if (n_files + 1 >= MAX_FILES)
            _exit(98);
        number = ++n_files;
        files[number].dev = status.st_dev;
        files[number].ino = status.st_ino;
        files[number].linked = 1;
        record(existed ? EXISTING : CREATE, number, 0, name, strlen(name));
    }
    fds[fd] = number;
    if ((flags & O_TRUNC) && existed)
        record(TRUNCATE, number, 0, NULL, 0);
}

static int open_recorded(int dirfd, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    const char *name = absolute(dirfd, path, full) ? watched_name(full) : NULL;
    struct stat64 status;
    int fd, existed;
    if (!name)
        return real_openat64(dirfd, path, flags, mode);
    pthread_mutex_lock(&mutex);
    existed = stat64(full, &status) == 0;
    fd = real_openat64(dirfd, path, flags, mode);
    if (fd >= 0)
        track(fd, name, existed, flags);
    pthread_mutex_unlock(&mutex);
    return fd;
}

int open(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_recorded(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_recorded(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_recorded(dirfd, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode)
    return open_recorded(dirfd, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_recorded(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open_recorded(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int mknod(const char *path, mode_t mode, dev_t dev)
{
    char full[PATH_MAX];
    const char *name = absolute(AT_FDCWD, path, full) ? watched_name(full) : NULL;
    int result, fd;
    if (!name || ((mode & S_IFMT) && !S_ISREG(mode)))
        return syscall(SYS_mknodat, AT_FDCWD, path, mode, dev);
    pthread_mutex_lock(&mutex);
    result = syscall(SYS_mknodat, AT_FDCWD, path, mode, dev);
    if (result == 0 && (fd = real_openat64(AT_FDCWD, path, O_RDONLY)) >= 0) {
        track(fd, name, 0, 0);
        fds[fd] = 0;
        real_close(fd);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

int close(int fd)
{
    int result;
    if (!file_of(fd))
        return real_close(fd);
    pthread_mutex_lock(&mutex);
    fds[fd] = 0;
    result = real_close(fd);
    pthread_mutex_unlock(&mutex);
    return result;
}

/* Record `done` bytes of a gathered write as one write. */
static void record_gathered(uint32_t file, off64_t offset, const struct iovec *parts, int n,
                            ssize_t done)
{
    char *flat = malloc(done ? done : 1);
    size_t used = 0;
    for (int i = 0; i < n && used < (size_t)done; i++) {
        size_t take = parts[i].iov_len;
        if (take > (size_t)done - used)
            take = (size_t)done - used;
        memcpy(flat + used, parts[i].iov_base, take);
        used += take;
    }
    record(file == MARKER ? MARK : WRITE, file, offset, flat, used);
    free(flat);
}

/* Where a write without an explicit offset goes. */
static off64_t position(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return lseek64(fd, 0, flags >= 0 && (flags & O_APPEND) ? SEEK_END : SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t length)
{
    uint32_t file = file_of(fd);
    ssize_t done;
    off64_t offset;
    if (!file || file == FOLDER)
        return real_write(fd, data, length);
    pthread_mutex_lock(&mutex);
    offset = file == MARKER ? 0 : position(fd);
    done = file == MARKER ? (ssize_t)length : real_write(fd, data, length);
    if (done > 0)
        record(file == MARKER ? MARK : WRITE, file, offset, data, done);
    pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    uint32_t file = file_of(fd);
    ssize_t done;
    if (!file || file == FOLDER)
        return real_pwrite64(fd, data, length, offset);
    pthread_mutex_lock(&mutex);
    done = real_pwrite64(fd, data, length, offset);
    if (done > 0)
        record(WRITE, file, offset, data, done);
    pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite64(fd, data, length, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    uint32_t file = file_of(fd);
    ssize_t done;
    off64_t offset;
    if (!file || file == FOLDER)
        return real_writev(fd, parts, n);
    pthread_mutex_lock(&mutex);
    offset = position(fd);
    done = real_writev(fd, parts, n);
    if (done > 0)
        record_gathered(file, offset, parts, n, done);
    pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset)
{
    uint32_t file = file_of(fd);
    ssize_t done;
    if (!file || file == FOLDER)
        return real_pwritev64(fd, parts, n, offset);
    pthread_mutex_lock(&mutex);
    done = real_pwritev64(fd, parts, n, offset);
    if (done > 0)
        record_gathered(file, offset, parts, n, done);
    pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    return pwritev64(fd, parts, n, offset);
}

int ftruncate64(int fd, off64_t length)
{
    uint32_t file = file_of(fd);
    int result;
    if (!file || file == FOLDER || file == MARKER)
        return real_ftruncate64(fd, length);
    pthread_mutex_lock(&mutex);
    result = real_ftruncate64(fd, length);
    if (result == 0)
        record(TRUNCATE, file, length, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

static int sync_recorded(int fd, int (*real)(int))
{
    uint32_t file = file_of(fd);
    int result;
    if (!file || file == MARKER)
        return real(fd);
    pthread_mutex_lock(&mutex);
    result = real(fd);
    if (result == 0)
        record(file == FOLDER ? DIRSYNC : SYNC, file, 0, NULL, 0);
    else if (file != FOLDER)
        record(SYNC_FAILED, file, 0, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int fsync(int fd)
{
    return sync_recorded(fd, real_fsync);
}

int fdatasync(int fd)
{
    return sync_recorded(fd, real_fdatasync);
}

/* The number of the linked file at a path; 0 when it is not recorded. */
static uint32_t number_at(const char *full)
{
    struct stat64 status;
    uint32_t number;
    if (stat64(full, &status) != 0)
        return 0;
    for (number = n_files; number > 0; number--)
        if (files[number].linked && files[number].dev == status.st_dev
            && files[number].ino == status.st_ino)
            return number;
    return 0;
}

int unlinkat(int dirfd, const char *path, int flags)
{
    char full[PATH_MAX];
    const char *name = absolute(dirfd, path, full) ? watched_name(full) : NULL;
    uint32_t number;
    int result;
    if (!is_recorded(name))
        return real_unlinkat(dirfd, path, flags);
    pthread_mutex_lock(&mutex);
    number = number_at(full);
    result = real_unlinkat(dirfd, path, flags);
    if (result == 0 && number) {
        files[number].linked = 0;
        record(UNLINK, number, 0, name, strlen(name));
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    char a[PATH_MAX], b[PATH_MAX], both[2 * PATH_MAX];
    const char *x = absolute(from_fd, from, a) ? watched_name(a) : NULL;
    const char *y = absolute(to_fd, to, b) ? watched_name(b) : NULL;
    uint32_t number, replaced;
    int result;
    if (!is_recorded(x) && !is_recorded(y))
        return real_renameat(from_fd, from, to_fd, to);
    pthread_mutex_lock(&mutex);
    number = number_at(a);
    replaced = number_at(b);
    result = real_renameat(from_fd, from, to_fd, to);
    if (result == 0 && number && y) {
        size_t n = (size_t)sprintf(both, "%s", x ? x : "") + 1;
        n += (size_t)sprintf(both + n, "%s", y);
        if (replaced && replaced != number)
            files[replaced].linked = 0;
        record(RENAME, number, 0, both, n);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
