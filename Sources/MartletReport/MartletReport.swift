// MartletReport
