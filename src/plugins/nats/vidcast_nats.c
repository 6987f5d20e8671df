
/*
 * Copyright (C) vidcast contributors
 */


#include "plugins/nats/vidcast_nats.h"


/* what speaks with NATS: an input and an output, see vidcast_nats.h */

static const vidcast_plugin_t  vidcast_nats_plugin = {
    sizeof(vidcast_plugin_t),
    VIDCAST_ABI,
    "vidcast_nats with libnats",
    &vidcast_nats_input,
    NULL,
    VIDCAST_NEEDS_NETWORK,
    &vidcast_nats_output
};


const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &vidcast_nats_plugin;
}
