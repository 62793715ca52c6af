// Command bench measures vitals beside its peers, in one process and in turns, and judges every speed goal as a ratio.
//
//	go run ./bench              all of it, about three minutes; leave the machine alone meanwhile
//	go run ./bench -short       a fifth of the time, wider margins; what CI runs
//	go run ./bench -only P6,P7  some goals
//	go run ./bench -out FILE    also write the Markdown table there
//
// Figures of one core are medians over the rounds, figures of two cores the best round (a virtual machine does not
// always have its second core), and end-to-end differences are medians over paired blocks on one core. The exit code is
// 1 when a goal is missed by more than its margin.
package main
