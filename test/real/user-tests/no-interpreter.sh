#!/bin/bash
exec /no/such/program
