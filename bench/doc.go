// Command bench measures vitals beside other libraries, in one process and in turns, compares every ratio with its goal, and
// draws how costs grow.
//
//	go run ./bench                 all of it, eight to ten minutes, on a machine without other load
//	go run ./bench -short          a rougher run of three minutes, without the largest sizes
//	go run ./bench -only P6,P7     some goals; growth is one, and so is every experiment's own name
//	go run ./bench -check          for CI, half a minute: fails when a goal is missed by more than its margin
//
// Results are kept as JSON, and RESULTS.md, the charts and FLEET.md are made from that file; a test fails when they
// differ:
//
//	go run ./bench -json bench/results.json -out bench/RESULTS.md -charts docs/charts -fleet bench/FLEET.md
//	go run ./bench -from bench/results.json -json bench/results.json -out bench/RESULTS.md -charts docs/charts -fleet bench/FLEET.md
//
// The first measures, the second only writes anew. With -from and -only the named chapters are measured and
// the others stay. Each chapter says when, where and with which command it was made.
//
// Figures of one core are medians over the rounds, figures of two cores the best round (a virtual machine does not
// always have its second core), and end-to-end differences are medians over paired blocks on one core.
//
// Noise: the even and the odd rounds of a subject are the same subject measured twice, in turns. The largest deviation of
// their ratio from 1 stands beside the rows of a chapter; the rows A/A show it for one subject. When other programs or the
// hypervisor used more than a tenth of the processors, or the noise is above 15 %, the rows say busy instead of yes or no.
// Counts and sizes are decided anyway.
//
// The exit code is 1 when a goal is missed by more than its margin, and when the machine was too busy to judge.
package main
