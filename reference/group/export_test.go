package group

// ThreeKeys is for tests.
var ThreeKeys = threeKeys
