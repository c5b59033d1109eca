// Nothing to call: linking this target is what limits how many tests run at once. See width.c.
#pragma once
