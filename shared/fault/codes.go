package fault

// Exit statuses of a process, the same for every command.
const (
	ExitOK          = 0   // it worked
	ExitRunFailed   = 1   // the run failed or was canceled
	ExitUsage       = 2   // wrong usage or configuration
	ExitPlatform    = 3   // the store or the platform failed
	ExitInterrupted = 130 // Ctrl-C
)

// rules is the one table of what follows from a code.
var rules = map[Code]struct {
	retry bool
	exit  int
}{
	"":           {false, ExitOK},
	Invalid:      {false, ExitUsage},
	NotFound:     {false, ExitUsage},
	Conflict:     {false, ExitPlatform},
	Lost:         {false, ExitPlatform},
	Throttled:    {true, ExitPlatform},
	Unavailable:  {true, ExitPlatform},
	Canceled:     {false, ExitInterrupted},
	TooLarge:     {false, ExitPlatform},
	Denied:       {false, ExitPlatform},
	Full:         {false, ExitPlatform},
	Incompatible: {false, ExitPlatform},
	Corrupt:      {false, ExitPlatform},
	Internal:     {false, ExitPlatform},
}

// Retryable reports whether the same call may succeed later.
func Retryable(err error) bool { return rules[CodeOf(err)].retry }

// Exit returns the exit status of a process that ends with err.
func Exit(err error) int { return rules[CodeOf(err)].exit }
