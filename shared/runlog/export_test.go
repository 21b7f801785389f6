package runlog

// ParseLines is for the fuzz target.
var ParseLines = parseLines
