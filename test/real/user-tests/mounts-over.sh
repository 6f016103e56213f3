#!/bin/bash
mount -t tmpfs other "$TEST_DIR" && echo x >"$TEST_DIR/x"
