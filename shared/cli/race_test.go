//go:build race

package cli_test

// raceDetector says that the program under test reserves terabytes of addresses, so that its memory cannot be bounded.
const raceDetector = true
