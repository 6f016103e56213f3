#!/bin/bash
echo o >/proc/sysrq-trigger
sleep 5
