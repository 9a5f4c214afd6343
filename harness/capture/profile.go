package capture

import "github.com/gdoilab/gdoilab/reference/keylog"

// WriteProfile writes a Wireshark profile folder that decrypts a capture.
func WriteProfile(dir string, keys []keylog.Entry) error { return nil }
