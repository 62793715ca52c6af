// Command bench measures vitals beside its peers, in one process and in turns, judges every speed goal as a ratio, and
// draws how costs grow.
//
//	go run ./bench                 all of it, about five minutes; leave the machine alone meanwhile
//	go run ./bench -short          half a minute, rougher, without the largest sizes
//	go run ./bench -only P6,P7     some goals; growth is one, and so is every experiment's own name
//	go run ./bench -check          CI's form, half a minute: fails when a goal is missed by more than noise explains
//
// Results are kept as JSON, and everything that readers see is made from that file; a test says so when it is not:
//
//	go run ./bench -json bench/results.json -out bench/RESULTS.md -charts docs/charts -fleet docs/fleet.md
//	go run ./bench -from bench/results.json -json bench/results.json -out bench/RESULTS.md -charts docs/charts -fleet docs/fleet.md
//
// The first measures, the second only writes anew. With -from and -only the chapters that are named are measured and
// the others stay. Each chapter says when, where and with which command it was made.
//
// Figures of one core are medians over the rounds, figures of two cores the best round (a virtual machine does not
// always have its second core), and end-to-end differences are medians over paired blocks on one core. The exit code is
// 1 when a goal is missed by more than its margin.
package main
