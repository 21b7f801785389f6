// Package pipelines lists what this deployment runs. Add the Definitions of your own package here.
package pipelines

import (
	"waggle/pipelines/broken"
	"waggle/pipelines/gallery"
)

// Definitions is everything that the commands and functions of this deployment know.
var Definitions = gallery.Definitions.Merge(broken.Definitions)
