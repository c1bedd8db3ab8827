// SPDX-License-Identifier: EUPL-1.2
/* Which addresses belong to the public Internet: see public.h. */
#include "http/public.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "util/common.h"

static bool ipv4_is_public(uint32_t address)
{
    static const struct {
        uint32_t net;
        int bits;
    } others[] = {
        {0x00000000, 8},  /* this network */
        {0x0A000000, 8},  /* private */
        {0x64400000, 10}, /* shared by carriers */
        {0x7F000000, 8},  /* loopback */
        {0xA9FE0000, 16}, /* link-local, cloud metadata */
        {0xAC100000, 12}, /* private */
        {0xC0000000, 24}, /* protocol assignments */
        {0xC0000200, 24}, /* documentation */
        {0xC0A80000, 16}, /* private */
        {0xC6120000, 15}, /* benchmarks */
        {0xC6336400, 24}, /* documentation */
        {0xCB007100, 24}, /* documentation */
        {0xE0000000, 3},  /* multicast, reserved, broadcast */
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if ((address ^ others[i].net) >> (32 - others[i].bits) == 0)
            return false;
    return true;
}

static uint32_t ipv4_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool ipv6_is_public(const unsigned char b[16])
{
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char documentation[4] = {0x20, 0x01, 0x0d, 0xb8};

    if (memcmp(b, nat64, sizeof(nat64)) == 0)
        return ipv4_is_public(ipv4_at(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02)
        return ipv4_is_public(ipv4_at(b + 2));
    if (memcmp(b, documentation, sizeof(documentation)) == 0)
        return false;
    /* Global unicast is 2000::/3 (what maps IPv4, ::ffff:0:0/96, was looked at before). */
    return b[0] >> 5 == 1;
}

bool http_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return ipv4_is_public(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
            return ipv4_is_public(ipv4_at(in6.sin6_addr.s6_addr + 12));
        return ipv6_is_public(in6.sin6_addr.s6_addr);
    }
    return false;
}
