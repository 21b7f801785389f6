package manifest

// Function is a function of the deployment.
type Function struct {
	Name string `json:"name"`
	// Program is the folder below functions that it is built from.
	Program string `json:"program"`
	// Sensor is the sensor whose own function it is. Empty: it is no sensor's own.
	Sensor string `json:"sensor,omitempty"`
	// Zips are what was built, one for each architecture. None before the build.
	Zips []Zip `json:"zips"`
	// MemoryMB is what it has where the deployment's settings say nothing.
	MemoryMB       int `json:"memory_mb"`
	TimeoutSeconds int `json:"timeout_seconds"`
}

// Zip returns what was built for an architecture; ok is false where nothing was.
func (f Function) Zip(architecture string) (z Zip, ok bool) {
	for _, z := range f.Zips {
		if z.Architecture == architecture {
			return z, true
		}
	}
	return Zip{}, false
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

// Functions lists the functions that every deployment has, without their code. A run hands over before its time is up, so run and
// step have all that Lambda gives; an event waits at most six times the sensor's timeout before it is brought again; the monitor
// ends before the next begins.
func Functions() []Function {
	return []Function{
		{Name: RunFunction, Program: RunFunction, Zips: []Zip{}, MemoryMB: 1024, TimeoutSeconds: 900},
		{Name: StepFunction, Program: StepFunction, Zips: []Zip{}, MemoryMB: 2048, TimeoutSeconds: 900},
		{Name: SensorFunction, Program: SensorFunction, Zips: []Zip{}, MemoryMB: 512, TimeoutSeconds: 60},
		{Name: MonitorFunction, Program: MonitorFunction, Zips: []Zip{}, MemoryMB: 512, TimeoutSeconds: 55},
	}
}

// maxOwnName is the longest name of a sensor with a function of its own: Lambda takes 64 characters, and waggle-ENVIRONMENT-sensor- before it
// may have 35.
const maxOwnName = 29

// ownFunction is the function of a sensor that has its own. Nobody waits for it, so it has all the time that Lambda gives.
func ownFunction(sensor string) Function {
	return Function{Name: SensorFunction + "-" + sensor, Program: SensorFunction, Sensor: sensor, Zips: []Zip{}, MemoryMB: 1024, TimeoutSeconds: 900}
}

// The ends of the names of queues for what could not be delivered.
const (
	SensorDead    = "sensor-dead"    // events that could not be handled
	RulesDead     = "rules-dead"     // events that did not reach the queue of sensors
	SchedulesDead = "schedules-dead" // launches by schedule that did not reach their function
)

// DeadQueues lists them.
func DeadQueues() []string { return []string{SensorDead, RulesDead, SchedulesDead} }
