package blocks

// fourStageRows are the ImageNet nets with a 3x3 convolution of stride 1 for the 7x7 and the
// pooling, as they are trained on CIFAR and Tiny ImageNet: kuangliu/pytorch-cifar and
// weiaicunzai/pytorch-cifar100, and timm's and torchvision's networks with the stem replaced. They
// are none of the paper's, whose nets for CIFAR have three stages of 16 to 64 channels. Bottlenecks
// stride in the 3x3.
var fourStageRows = []Spec{
	fourStage("resnet18-3x3", Basic, depths18, 11_173_962, 555_422_720),
	fourStage("resnet34-3x3", Basic, depths34, 21_282_122, 1_159_402_496),
	fourStage("resnet50-3x3", Bottleneck, depths34, 23_520_842, 1_297_829_888),
	fourStage("resnet101-3x3", Bottleneck, depths101, 42_512_970, 2_509_983_744),
	fourStage("resnet152-3x3", Bottleneck, depths152, 58_156_618, 3_722_137_600),
}

func fourStage(name string, block Block, depths []int, params, macs int64) Spec {
	return row(Spec{
		Name: name, Family: FamilyCIFAR, Block: block, Stem: Stem3x3, Shortcut: OptionB, StrideIn3x3: block == Bottleneck,
		Depths: depths, Widths: []int{64, 128, 256, 512}, InputChannels: 3, InputSize: 32, Classes: 10,
		Params: params, MACs: macs, Source: "Table 1 with a 3x3 stem, as in kuangliu/pytorch-cifar",
	})
}
