#!/bin/bash
dd if=/dev/zero of=big bs=1M 2>&1
[[ -s big ]]
