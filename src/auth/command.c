// SPDX-License-Identifier: EUPL-1.2
/* Running a command for its output: see command.h. */
#include "auth/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

/* How soon a raised cancel flag is noticed. */
#define NOTICE_MS 50

static int start(const char *command, int output, pid_t *ret)
{
    char *const arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    (void)posix_spawnattr_init(&attributes);
    /* A group of its own, to be ended as one; and SIGPIPE, which we ignore, as usual. */
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGPIPE);
    (void)posix_spawnattr_setsigdefault(&attributes, &signals);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(ret, "/bin/sh", &actions, &attributes, arguments, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int collect(int output, struct buf *out, struct call *call)
{
    char chunk[4096];
    int result = 0;

    for (;;) {
        struct pollfd waiting = {.fd = output, .events = POLLIN};
        if (call_check(call) < 0)
            return -1;
        if (poll(&waiting, 1, NOTICE_MS) <= 0)
            continue;
        ssize_t n = read(output, chunk, sizeof(chunk));
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        if (n > 0 && result == 0 && buf_add(out, chunk, (size_t)n, &call->err) < 0) {
            result =
                err_set(&call->err, ERR_UNKNOWN_WHO, "it prints more than %zu bytes", out->limit);
            break;
        }
    }
    explicit_bzero(chunk, sizeof(chunk));
    return result;
}

static int wait_for(pid_t child, int *status, struct call *call)
{
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child)
            return 0;
        if (ended < 0 && errno != EINTR)
            return err_errno(&call->err, errno, "wait for it");
        if (call_sleep(call, 5 * CLOCK_MILLISECOND) < 0)
            return -1;
    }
}

int command_output(const char *command, struct buf *out, struct call *call)
{
    int ends[2], status = 0;
    pid_t child = 0;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(&call->err, errno, "open a pipe");
    auto_close int output = ends[0];
    int failed = start(command, ends[1], &child);
    (void)close(ends[1]);
    if (failed)
        return err_errno(&call->err, failed, "start /bin/sh");
    if (collect(output, out, call) < 0 || wait_for(child, &status, call) < 0) {
        (void)kill(-child, SIGKILL);
        (void)waitpid(child, &status, 0);
        return -1;
    }
    if (WIFSIGNALED(status))
        return err_set(&call->err, ERR_UNKNOWN_WHO, "it was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return err_set(&call->err, ERR_UNKNOWN_WHO,
                       "it ended with status %d: run it by hand to see why", WEXITSTATUS(status));
    return 0;
}
