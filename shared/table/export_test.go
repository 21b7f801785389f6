package table

// IOFault is for tests of disks that cannot be had in a test.
var IOFault = ioFault
