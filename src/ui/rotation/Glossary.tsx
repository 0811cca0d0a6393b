import styles from './rotation.module.css'

const TERMS: readonly (readonly [term: string, meaning: string])[] = [
  [
    'Rotation',
    'An orthogonal change of basis over the input channels of X and W. Without rounding the output stays the same.',
  ],
  ['Block', 'Channels that share a scale: 32 in MXFP4, 16 in NVFP4, a whole row in INT4.'],
  ['Outlier strength k', 'How many times larger than the others the strong channels of X are.'],
  ['Correlation α', 'Columns of W at strong channels are k to the power α smaller. Trained layers lie above 0.'],
  ['Kurtosis', 'How heavy the tails are: 3 for a Gaussian, 1 for two values, large where a few elements rule.'],
  [
    'Crest factor',
    'Largest magnitude over the root mean square of what shares a scale. The lower, the finer the steps.',
  ],
  ['κ', 'Noise energy that rounding adds to Gaussian data, as a share of its energy. A property of the format.'],
  ['χ', 'How much of X and W cancels in the output: ‖X‖ ‖W‖ over √channels ‖Y‖. 1 without structure.'],
  [
    'Closed form',
    'χ √(κ of W + κ of X + κ of W · κ of X): what any rotation of all channels should cost. A rule of thumb, off by a quarter on built-in layers.',
  ],
  ['Mismatch index', 'Above 1 where large activations meet small weights, which a rotation undoes.'],
]

/** What the words of the view mean, folded at first. */
export function Glossary() {
  return (
    <details className={styles.glossary} data-test="rotation-glossary">
      <summary>What is this?</summary>
      <p>
        A block format rounds quiet channels finely and strong ones coarsely. A rotation makes all channels alike: where
        quiet channels have the large weights, their noise grows. A format with one scale per row rounds all of them
        coarsely anyway, and gains. The whole story is in docs/rotation.md.
      </p>
      <dl>
        {TERMS.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
