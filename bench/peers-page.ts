import { exposeBench } from './expose-bench'
import { openJax } from './peers/jax'
import { openOrt } from './peers/ort'
import { openTfjs } from './peers/tfjs'

exposeBench(() => Promise.all([openTfjs(), openOrt(), openJax()]))
