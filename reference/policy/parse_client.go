package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

func client(v yamldoc.Value) Client {
	var c Client
	ok := v.Fields(
		yamldoc.Optional("ciphers", &c.Ciphers, yamldoc.Some("cipher", kekTransforms.Read)),
		yamldoc.Optional("hashes", &c.Hashes, yamldoc.Some("hash", sigHashes.Read)),
		yamldoc.Optional("transforms", &c.Transforms, yamldoc.Some("transform", transforms.Read)),
	)
	if ok && len(c.Transforms) > MostTransformSets {
		v.Problem("%d transforms; a member names %d at most", len(c.Transforms), MostTransformSets)
	}
	return c
}

// checkClient refuses what only profile getvpn has in a member, and more key servers than it has.
func checkClient(root, at yamldoc.Value, m Member) {
	switch vendor := m.Profile == ProfileGETVPN; {
	case !vendor && root.Has("client"):
		at.Problem("this is for profile getvpn; leave it out")
	case vendor && len(m.KeyServers) > MostKeyServers:
		root.Problem("%d key servers; profile getvpn has %d at most", len(m.KeyServers), MostKeyServers)
	}
}
