#!/bin/bash
# daxrepro: timeout 5s
echo before
sleep 1000
