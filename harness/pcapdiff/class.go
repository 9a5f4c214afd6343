package pcapdiff

import "github.com/gdoilab/gdoilab/harness/capture"

// class says how a field is compared.
type class uint8

const (
	plain      class = iota // by its value
	random                  // by its length: nonces, public values, hashes, signatures, keys
	identifier              // by what it names
	lifetime                // by when it ends
	date                    // by whether there is one, and one that is to come by how long after the message
	derived                 // not at all: it follows from what is compared elsewhere
)

// classes are those of fields that are not plain, by their names in a decoded message.
var classes = map[string]class{
	"KE": random, "NONCE": random, "HASH": random, "SIG": random, "NAT-D": random,
	"IV": random, "ICV": random, "SIG_ALGORITHM_KEY": random,
	"Key Handle": random, "Creation Date": date, "Expiration Date": date,
	"SPI":              identifier,
	"Sequence Number":  identifier, // of R-U-THERE: the first is random
	"SA Life Duration": lifetime, "Life Duration": lifetime, "KEK_KEY_LIFETIME": lifetime,
	// Counts and types of what follows, which is itself compared. A wrong one is an error of the message.
	"Key Packets": derived, "SPIs": derived, "Transforms": derived, "SA Attribute Next Payload": derived,
}

func classOf(f *capture.Field) class {
	if f.Secret {
		return random
	}
	return classes[f.Name]
}
