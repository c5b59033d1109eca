// MartletMain
