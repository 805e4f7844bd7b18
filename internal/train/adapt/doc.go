// Package adapt estimates a linear layer for each speaker before a speech network that stays as it
// is.
//
// The title of the paper of the WRBN (Heymann, Drude and Haeb-Umbach 2016) names a discriminative
// speaker adaptation, whose details were not published. This form is ours: every frame x of a
// speaker becomes W·x + b before the network, W and b begin as the identity, and they descend the
// gradient of the network's own loss, with Adam, on labels that the network gave in a first pass
// (or on alignments that the caller has). The structure of W is a choice, and a penalty λ/2·(|W−I|²
// + |b|²) keeps both near the identity.
//
// A file of transforms is safetensors: adaptation.SPEAKER.weight [D, D] and adaptation.SPEAKER.bias
// [D] for each speaker, with a digest of the network that they were estimated before.
package adapt
