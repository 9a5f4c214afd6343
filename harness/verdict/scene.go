package verdict

// The scenes of two devices beside each other, in their order in time.
const (
	ScenePhase1       = "phase1"
	SceneRegistration = "registration"
	SceneRekey        = "rekey"
	SceneDataPlane    = "dataplane"
)

// Scenes lists them.
var Scenes = []string{ScenePhase1, SceneRegistration, SceneRekey, SceneDataPlane}
