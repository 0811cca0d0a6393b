import { exposeBench } from './expose-bench'

exposeBench(async () => [])
