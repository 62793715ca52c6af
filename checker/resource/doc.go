// Package resource provides checks of what the process uses: CPU, memory, disk, and what indicates a shortage.
//
// [Checks] returns [checker.Check] values of kind [checker.Resource]. These have a limit by default, and a warning at 0.8
// of it:
//
//	cpu_usage          % of the CPUs; critical above 80, warning above 64
//	memory_usage       % of the memory; critical above 85, warning above 68
//	disk_usage         % of a filesystem's space, or of its inodes if these are fuller; critical above 90, warning above 72
//	open_files         % of the limit of open file descriptors; critical above 90, warning above 72
//	pids               % of the control group's limit of processes and threads; critical above 90, warning above 72
//
// These exist only if [Config.Limits] names them:
//
//	disk_free          GiB of free space: checker.Below(2) for a disk on which a percentage says little
//	goroutines         number
//	gc_cpu             % of the CPU time that the garbage collector took, without idle marking
//	load               load average of one minute per CPU of the host
//	cpu_throttling     % of the scheduling periods in which the control group ran into its CPU quota
//	cpu_pressure       % of the last minute in which some task waited for a CPU
//	memory_pressure    % of the last minute in which all tasks waited for memory
//	io_pressure        % of the last minute in which all tasks waited for input or output
//
// With several disk paths there is one check for each, named disk_usage:<path>. A path of more than 117 bytes, or with
// unprintable characters, is shortened there to its end and a hash of the whole, as in disk_usage:…/pvc-1/mount#0a1b2c3d.
// Checks leaves out what the platform does not offer: load and open_files on Windows, control groups and pressure anywhere
// but on Linux, memory_usage and load without a readable /proc.
//
// # Limits
//
// CPU, memory and pids are measured against the limits of the control group (version 2, 1, or hybrid), of all its visible
// ancestors, those of Config, and for the CPU those of cpusets and the process's affinity; of these the fullest is reported,
// because it throttles or kills first. Without a limit it is the host. [checker.Measurement.Source] names it: "of the
// cgroup limit (512 MiB)", "of the host (24 GiB)". docs/containers.md lists all texts, and what other programs show.
//
// Memory is the group's usage without what the kernel reclaims before it kills: page cache, inactive and active, and
// reclaimable slab, which version 1 does not know. CPU is time used per time passed, over the limit. Limits are read by each
// run, so a resize in place takes effect. A missing or malformed file of the control group counts as no limit.
//
// The CPU of the host is that of other processes too, so it is averaged over at least a minute. Until then, and where the
// platform has no CPU times of the group or the host, the CPU time of this process counts.
//
// CPU shares are differences between two runs of the check; Checks takes the first sample. A run within a second of it
// reports the use since then as the share of a whole second. A later run within a second of another repeats its value.
//
// # Failures
//
// A filesystem that hangs, such as a dead network mount, makes its check unknown: the run gives up before its context
// ends, and no second call is made until the first has returned, so at most one goroutine per path is stuck. Other read
// errors are errors of the check.
//
// # Concurrency and cost
//
// The functions of the checks may be called concurrently. Only disk_usage starts a goroutine, one per run. A run of
// cpu_usage or memory_usage takes up to half a millisecond, mostly for reading /proc, the others less:
//
//	go test -run '^$' -bench Measure ./checker/resource
//
// gopsutil reads the environment variables HOST_PROC and HOST_SYS. The package builds for every platform of gopsutil;
// to check:
//
//	GOOS=darwin go vet ./checker/...
//	GOOS=windows go vet ./checker/...
package resource
