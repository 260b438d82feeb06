/*
 * What both preload libraries share: the real functions behind the ones they replace, the
 * folder they watch, and a table from file descriptor to the watched file behind it.
 *
 * Only paths below one folder are watched, given by an environment variable without a trailing
 * slash and with symbolic links resolved. Everything else goes straight to the C library.
 */
#ifndef MEMREPO_INTERPOSE_H
#define MEMREPO_INTERPOSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FDS 4096

/*
 * Look a function of the C library up once; `real_close` and so on are then plain pointers.
 * Without `used`, an unused one becomes a tail call of dlsym, which then takes the C library
 * itself for the caller of RTLD_NEXT and crashes.
 */
#define REAL(ret, name, ...)                                                     \
    static ret (*real_##name)(__VA_ARGS__) __attribute__((used));                \
    __attribute__((constructor(101))) static void find_##name(void)              \
    {                                                                            \
        *(void **)&real_##name = dlsym(RTLD_NEXT, #name);                        \
    }

/* The mode argument of open() is there only when a file may be created. */
#define TAKE_MODE(flags, mode)                                                   \
    mode_t mode = 0;                                                             \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                     \
        va_list list;                                                            \
        va_start(list, flags);                                                   \
        mode = va_arg(list, mode_t);                                             \
        va_end(list);                                                            \
    }

static char watched[PATH_MAX];
static size_t watched_length;

static inline void watch(const char *variable)
{
    const char *folder = getenv(variable);
    watched_length = 0;
    if (folder && strlen(folder) < sizeof watched) {
        strcpy(watched, folder);
        watched_length = strlen(watched);
    }
}

/* Write the absolute form of a path into `out`; 0 when it cannot be told. */
static inline int absolute(int dirfd, const char *path, char out[PATH_MAX])
{
    char link[64];
    ssize_t n;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX)
            return 0;
        strcpy(out, path);
        return 1;
    }
    if (dirfd == AT_FDCWD) {
        if (!getcwd(out, PATH_MAX))
            return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        n = readlink(link, out, PATH_MAX - 1);
        if (n <= 0)
            return 0;
        out[n] = 0;
    }
    if (strlen(out) + strlen(path) + 2 > PATH_MAX)
        return 0;
    strcat(out, "/");
    strcat(out, path);
    return 1;
}

/* The name of a path relative to the watched folder, "" for the folder itself, NULL if outside. */
static inline const char *watched_name(const char *path)
{
    if (!watched_length || strncmp(path, watched, watched_length) != 0)
        return NULL;
    path += watched_length;
    if (*path == 0)
        return path;
    if (*path != '/')
        return NULL;
    while (*path == '/')
        path++;
    return path;
}

static inline int ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

#endif
