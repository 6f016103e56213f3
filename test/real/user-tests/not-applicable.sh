#!/bin/bash
echo this needs a quota
exit 77
