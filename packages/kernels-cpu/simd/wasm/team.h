// Threads of the WebAssembly tier: each is an instance of this module on the same shared memory, in a worker of its own.
#pragma once
#include "runtime.h"

/** Runs tasks 0 … n − 1 on the calling thread and whichever of the others have started. */
void runOnTeam(int threads, Index n, Task task, void* context);
