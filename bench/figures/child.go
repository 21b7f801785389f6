package figures

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Child runs this program again with other arguments, waits for it, and decodes the JSON that it printed into
// answer. Its standard error goes to ours. It returns the most memory that the process held, in MB.
func Child(ctx context.Context, answer any, args ...string) (peakMB float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%v: %w", args, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, fmt.Errorf("%s does not say how much memory a process took", runtime.GOOS)
	}
	return megabytes(usage.Maxrss), json.Unmarshal(out.Bytes(), answer)
}

// megabytes converts what getrusage says: kilobytes, on Darwin bytes.
func megabytes(maxrss int64) float64 {
	if runtime.GOOS == "darwin" {
		return float64(maxrss) / (1 << 20)
	}
	return float64(maxrss) / (1 << 10)
}

// CPU is the time that all cores have spent on this process. It says what a thing costs on a busy
// machine too, where the clock on the wall says what others cost.
func CPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
