//go:build unix

package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// lockFile takes the lock of a file, which ends with the process whatever ends it. It reports false where another has it.
func lockFile(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// apart keeps the terminal's Ctrl-C from a child: its parent tells it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
