package kernel

// Lanes is the number of channels in a block, whatever the width of the registers.
const Lanes = 16
