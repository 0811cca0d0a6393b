import { useMemo } from 'react'
import { DEFAULT_OUTLIER_STUDY } from '../../experiment/outlier-defaults'
import { methodLabel } from '../../figures/describe'
import {
  type DrawnStudy,
  describeOutlierPanel,
  drawOutlierPanel,
  formatName,
  outlierTable,
  ratioAt,
  studySentence,
} from '../../figures/outlier-study'
import {
  describePeakedness,
  drawPeakedness,
  type PeakednessMeasure,
  peakednessTitle,
} from '../../figures/peakedness-study'
import { formatConditions } from '../../store/conditions'
import { mxChoices } from '../../store/mx-choices'
import { STUDY_FORMATS, studyModel } from '../../store/rotation-view'
import { MethodMark } from '../MethodMark'
import { useTheme } from '../main/figure-look'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useApp } from '../use-app'
import styles from './rotation.module.css'
import { StudyControls } from './StudyControls'
import { StudyProgress } from './StudyProgress'

const EXPLAINS =
  'A layer of random numbers with a few strong channels, rounded to four bits with and without a rotation. Trained layers arrange small weights where activations are large: that is α above 0.'

/** Errors over outlier strength in three formats side by side, and how flat each method leaves the activations. */
export function StudyPart() {
  const { stale, ...model } = useApp(studyModel)
  // By themselves: they stay the same while the rest changes, and the figures with them.
  const points = useApp((state, vocabulary) => studyModel(state, vocabulary).points)
  const methods = useApp((state, vocabulary) => studyModel(state, vocabulary).methods)
  const { strength } = model
  const study: DrawnStudy = useMemo(() => ({ points, methods, strength }), [points, methods, strength])
  const sentence = stale ? null : studySentence(study, STUDY_FORMATS)
  return (
    <>
      <p className={styles.note}>{EXPLAINS}</p>
      <StudyControls />
      <div className={styles.finding}>
        <p data-test="study-sentence" aria-live="polite">
          {sentence === null ? `Strength ${strength} is not computed yet.` : `${sentence}.`}
        </p>
        <StudyProgress />
      </div>
      {stale && (
        <p className={styles.stale} role="status">
          The curves are those of other settings, until the first of these is computed.
        </p>
      )}
      <Legend methods={methods} />
      <div className={styles.panels} data-test="study-panels" data-result={stale ? 'stale' : 'live'}>
        {STUDY_FORMATS.map((format) => (
          <ErrorPanel key={format} study={study} format={format} />
        ))}
        {points.length > 0 && (
          <>
            <PeakednessPanel study={study} measure="kurtosis" format={STUDY_FORMATS[0]} />
            <PeakednessPanel study={study} measure="crest" format={STUDY_FORMATS[0]} />
            <PeakednessPanel study={study} measure="crest" format={STUDY_FORMATS[STUDY_FORMATS.length - 1]} />
          </>
        )}
      </div>
      <Conditions />
    </>
  )
}

function Legend({ methods }: { readonly methods: readonly string[] }) {
  return (
    <ul className={styles.legend} aria-label="Lines of the figures">
      {methods.map((id) => (
        <li key={id}>
          <MethodMark id={id} /> {methodLabel(id)}
        </li>
      ))}
      <li>
        <span aria-hidden>╌</span> closed form of a global rotation, a rule of thumb
      </li>
      <li>
        <span aria-hidden>┈</span> X as it is, before any transform
      </li>
      <li>
        <span aria-hidden>○</span> crosses RTN at this strength
      </li>
      <li>
        <span aria-hidden>┊</span> k chosen
      </li>
    </ul>
  )
}

function ErrorPanel({ study, format }: { readonly study: DrawnStudy; readonly format: string }) {
  const theme = useTheme()
  const figure = useMemo(() => drawOutlierPanel(study, format, theme), [study, format, theme])
  const ratio = ratioAt(study.points, format, 'quarot', study.strength)
  const name = formatName(format)
  return (
    <article className={styles.panel} data-test={`study-panel-${format}`} aria-label={`Error in ${name}`}>
      <h3>
        {name}
        {ratio !== null && (
          <span className={styles.ratio}>
            {methodLabel('quarot')} <b data-test={`study-ratio-${format}`}>{ratio.toFixed(2)}</b> × RTN
          </span>
        )}
      </h3>
      <Plot figure={figure} title={`Error in ${name}`} label={describeOutlierPanel(study, format)}>
        <FigureData name={`errors in ${name}`} table={() => outlierTable(study, [format])} />
      </Plot>
    </article>
  )
}

interface PeakednessPanelProps {
  readonly study: DrawnStudy
  readonly measure: PeakednessMeasure
  readonly format: string
}

function PeakednessPanel({ study, measure, format }: PeakednessPanelProps) {
  const theme = useTheme()
  const figure = useMemo(() => drawPeakedness(study, { measure, format }, theme), [study, measure, format, theme])
  const title = peakednessTitle(measure, format)
  return (
    <article className={styles.small} aria-label={title}>
      <h3>{title}</h3>
      <Plot figure={figure} title={title} label={describePeakedness(study, { measure, format })}>
        <FigureData name={title} table={() => outlierTable(study, [format])} />
      </Plot>
    </article>
  )
}

/** What the numbers depend on beside the controls above. */
function Conditions() {
  const setup = useApp((state) => state.setup)
  const { outDim, tokens } = DEFAULT_OUTLIER_STUDY.layer
  const [format] = STUDY_FORMATS
  const formats = { weightFormat: format, activationFormat: format, outputFormat: null, headDim: null }
  const [, ...rules] = formatConditions(formats, mxChoices(setup))
  return (
    <p className={styles.note}>
      {outDim} outputs, {tokens} tokens to fit and as many to measure; weights and activations in the same format. MX
      formats as in the setup: {rules.join(' · ')}.
    </p>
  )
}
