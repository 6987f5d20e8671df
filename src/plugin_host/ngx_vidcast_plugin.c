
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dlfcn.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_program.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/* a table may grow, and still take plugins that were built before it did */

#define ngx_vidcast_plugin_end(type, member)                                  \
    (offsetof(type, member) + sizeof(((type *) NULL)->member))


static const char *ngx_vidcast_plugin_incomplete(
    const vidcast_plugin_t *plugin);


u_char *
ngx_vidcast_plugin_path(ngx_pool_t *pool, const char *name)
{
    size_t   len;
    u_char  *path, *p, *file;

    file = ngx_vidcast_program_module();
    len = file ? (size_t) (strrchr((char *) file, '/') + 1 - (char *) file)
               : 0;

    path = ngx_pnalloc(pool, ngx_max(len, ngx_cycle->prefix.len
                                          + sizeof("modules/") - 1)
                             + ngx_strlen(name) + 1);

    if (path == NULL) {
        return NULL;
    }

    if (file) {
        p = ngx_cpymem(path, file, len);

    } else {
        p = ngx_sprintf(path, "%Vmodules/", &ngx_cycle->prefix);
    }

    (void) ngx_sprintf(p, "%s%Z", name);

    return path;
}


/*
 * All symbols are looked for at once: one that is missing is to be found by
 * the check, not by the first frame.
 */

const vidcast_plugin_t *
ngx_vidcast_plugin_load(const char *path, u_char *error)
{
    void                    *handle;
    const char              *missing;
    vidcast_plugin_pt        describe;
    const vidcast_plugin_t  *plugin;

    handle = dlopen(path, RTLD_NOW|RTLD_LOCAL);

    if (handle == NULL) {
        ngx_vidcast_error(error, "%s", dlerror());
        return NULL;
    }

    describe = (vidcast_plugin_pt) dlsym(handle, VIDCAST_PLUGIN_SYMBOL);

    if (describe == NULL) {
        ngx_vidcast_error(error,
                          "\"%s\" is not a plugin of vidcast, it has no \"%s\"",
                          path, VIDCAST_PLUGIN_SYMBOL);
        return NULL;
    }

    plugin = describe(VIDCAST_ABI);

    if (plugin == NULL) {
        ngx_vidcast_error(error, "\"%s\" does not describe itself", path);
        return NULL;
    }

    if (plugin->abi != VIDCAST_ABI) {
        ngx_vidcast_error(error, "\"%s\" has ABI %uD, wanted %d", path,
                          plugin->abi, VIDCAST_ABI);
        return NULL;
    }

    missing = ngx_vidcast_plugin_incomplete(plugin);

    if (missing) {
        ngx_vidcast_error(error, "\"%s\" is incomplete: no %s", path, missing);
        return NULL;
    }

    return plugin;
}


/* what is missing that every plugin of this ABI has; NULL: nothing */

static const char *
ngx_vidcast_plugin_incomplete(const vidcast_plugin_t *plugin)
{
    const vidcast_input_table_t      *input;
    const vidcast_output_table_t     *output;
    const vidcast_predictor_table_t  *predictor;

    if (plugin->size < ngx_vidcast_plugin_end(vidcast_plugin_t, predictor)
        || plugin->name == NULL)
    {
        return "name";
    }

    input = plugin->input;
    output = ngx_vidcast_plugin_output(plugin);
    predictor = plugin->predictor;

    if (input == NULL && predictor == NULL && output == NULL) {
        return "input, no predictor and no output";
    }

    if (input
        && (input->size < ngx_vidcast_plugin_end(vidcast_input_table_t, close)
            || input->check == NULL || input->open == NULL
            || input->grab == NULL || input->close == NULL))
    {
        return "check, open, grab or close of its input";
    }

    if (predictor
        && (predictor->size < ngx_vidcast_plugin_end(vidcast_predictor_table_t,
                                                  close)
            || predictor->check == NULL || predictor->open == NULL
            || predictor->predict == NULL || predictor->close == NULL))
    {
        return "check, open, predict or close of its predictor";
    }

    if (output
        && (output->size < ngx_vidcast_plugin_end(vidcast_output_table_t, close)
            || output->check == NULL || output->open == NULL
            || output->run == NULL || output->close == NULL))
    {
        return "check, open, run or close of its output";
    }

    return NULL;
}


const vidcast_output_table_t *
ngx_vidcast_plugin_output(const vidcast_plugin_t *plugin)
{
    return (plugin->size < ngx_vidcast_plugin_end(vidcast_plugin_t, output))
               ? NULL : plugin->output;
}


ngx_uint_t
ngx_vidcast_plugin_needs(const vidcast_plugin_t *plugin)
{
    return (plugin->size < ngx_vidcast_plugin_end(vidcast_plugin_t, needs))
               ? 0 : plugin->needs;
}
