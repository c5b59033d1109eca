// MartletNetwork
