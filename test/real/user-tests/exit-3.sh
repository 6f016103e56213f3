#!/bin/bash
echo first
echo last >&2
exit 3
