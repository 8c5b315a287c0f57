/* What prefilters have in common, which are generated from the rules and follow this. */

#include <linux/types.h>
#include <uapi/linux/ptrace.h>

#include "numbers.h"
#include "record.h"
#include "memory.h"
#include "path.h"
#include "group_name.h"
#include "containers.h"
#include "facts.h"
#include "text.h"
#include "name.h"
#include "sockets.h"
#include "exits.h"
