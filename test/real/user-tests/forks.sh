#!/bin/bash
# daxrepro: timeout 10s
# shellcheck disable=SC2264 # that is the point
more() { more | more & }
more
sleep 100
