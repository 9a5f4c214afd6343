package lab

// Fabrics are the names of the fabrics that can serve all of the needs, whatever this machine lacks.
func Fabrics(needs ...Need) []string {
	names := []string{}
	for _, f := range []Fabric{Memory{}, Namespaces{}} {
		if serves(f, needs) {
			names = append(names, f.Name())
		}
	}
	return names
}

func serves(f Fabric, needs []Need) bool {
	for _, n := range needs {
		if f.Lacks(n) != "" {
			return false
		}
	}
	return true
}
