// SPDX-License-Identifier: EUPL-1.2
/* The program: finds the command and runs it. */
#include <stdio.h>

#include "config.h"

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("bascule %s\n", BASCULE_VERSION);
    return 0;
}
