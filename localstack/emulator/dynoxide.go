package emulator

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
)

// ErrNoDynoxide says that there is no dynoxide for this kind of machine.
var ErrNoDynoxide = errors.New("dynoxide is installed for Linux on x86-64 only")

// Dynoxide starts the DynamoDB emulator of that name, in memory, that `npm ci` installed.
func Dynoxide(ctx context.Context) (*Emulator, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, ErrNoDynoxide
	}
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(folder, "node_modules", "@dynoxide", "linux-x64", "dynoxide")
	if _, err := os.Stat(binary); err != nil {
		return nil, errors.New("dynoxide is not installed: run `npm ci` in the folder localstack")
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	// The shell ends it when the input ends.
	cmd := exec.Command("sh", "-c", `"$0" "$@" & cat >/dev/null; kill $!; wait`, binary, "serve", "--host", "127.0.0.1", "-p", strconv.Itoa(port))
	return start(ctx, cmd, port, "/")
}
