package datasets

import "context"

// Summary describes an open data set.
type Summary struct {
	Info
	// PerClass counts the images of each class, for each split that has any.
	PerClass map[Split][]int `json:"per_class"`
	// Measured is how many images ChannelMean and ChannelStd were taken from.
	Measured int `json:"measured"`
	// Notes are those of the data set.
	Notes []string `json:"notes,omitempty"`
	// ChannelMean and ChannelStd are those of the training images (without any, of the test
	// images), of values in [0, 1].
	ChannelMean []float64 `json:"channel_mean"`
	ChannelStd  []float64 `json:"channel_std"`
}

// Describe counts classes and measures the channels. Of a folder it decodes every training image,
// of ImageNet a sample.
func Describe(ctx context.Context, d *Dataset) (Summary, error) {
	s := Summary{Info: d.Info(), PerClass: map[Split][]int{}, Notes: d.Notes()}
	for _, split := range []Split{Train, Val, Test} {
		if d.Len(split) == 0 {
			continue
		}
		counts := make([]int, len(s.Classes))
		for i := range d.Len(split) {
			counts[d.Label(split, i)]++
		}
		s.PerClass[split] = counts
	}
	split := Train
	if d.Len(Train) == 0 {
		split = Test
	}
	m, err := measure(ctx, d, split)
	if err != nil {
		return Summary{}, err
	}
	s.ChannelMean, s.ChannelStd = m.channels()
	s.Measured = m.images
	return s, nil
}
