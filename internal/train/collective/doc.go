// Package collective is how the workers of one training agree: in which order gradients are added,
// whoever computed them.
//
// # The tree
//
// An update is the sum of n micro-batches' gradients, in float32, where another order is another
// result. The order is that of a tree which follows from n alone. With n = m·2^k, m odd, it has
// 2^k groups of m consecutive micro-batches. Inside a group they are added as a binary counter
// carries: 0+1, 2+3, then (0+1)+(2+3), and what is left at the end of the group from the right. The
// groups are the leaves of a perfect binary tree. So a worker that has an aligned 1/2^j of the
// micro-batches, j at most k, has whole subtrees, and the j upper levels are left to do among the
// workers: the result does not show how many there were.
package collective
