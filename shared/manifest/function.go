package manifest

// Function is a function of the deployment, built from the folder functions/NAME.
type Function struct {
	Name string `json:"name"`
	// Zips are what was built, one for each architecture. None before the build.
	Zips []Zip `json:"zips"`
	// MemoryMB is what it has where the deployment's settings say nothing.
	MemoryMB       int `json:"memory_mb"`
	TimeoutSeconds int `json:"timeout_seconds"`
}

// Zip is a function's code for an architecture.
type Zip struct {
	Architecture string `json:"architecture"` // as Go names it: arm64, amd64
	Path         string `json:"path"`         // from the manifest's folder, with slashes
	Bytes        int64  `json:"bytes"`
	SHA256       string `json:"sha256"` // in hex
}

// The names of the functions.
const (
	RunFunction     = "run"     // runs jobs
	StepFunction    = "step"    // runs isolated steps
	SensorFunction  = "sensor"  // is told of events, and tells people
	MonitorFunction = "monitor" // wakes what is due, each minute
)

// Functions lists the functions that a deployment has, without their code. A run hands over before its time is up, so run and
// step have all that Lambda gives; an event waits at most six times the sensor's timeout before it is brought again; the monitor
// ends before the next begins.
func Functions() []Function {
	return []Function{
		{Name: RunFunction, Zips: []Zip{}, MemoryMB: 1024, TimeoutSeconds: 900},
		{Name: StepFunction, Zips: []Zip{}, MemoryMB: 2048, TimeoutSeconds: 900},
		{Name: SensorFunction, Zips: []Zip{}, MemoryMB: 512, TimeoutSeconds: 60},
		{Name: MonitorFunction, Zips: []Zip{}, MemoryMB: 512, TimeoutSeconds: 55},
	}
}
