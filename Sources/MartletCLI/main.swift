import MartletMain

MartletMain.run(compiledStrategies())
