package main

import "os"

// progress is where a person who waits looks.
var progress = os.Stderr
