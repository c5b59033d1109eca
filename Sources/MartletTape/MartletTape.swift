// MartletTape
