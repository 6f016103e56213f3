// SPDX-License-Identifier: MIT
#include "counting.h"

atomic_bool counting;
