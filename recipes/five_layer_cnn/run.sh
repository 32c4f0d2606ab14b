#!/usr/bin/env bash
# Train, evaluate and save the default classifier: recipes/five_layer_cnn/run.sh [FER-2013 in any form]
# A run that was cut off goes on where it stopped when the same command is given again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
data=${1:-../../../shared/data/fer2013-kaggle.zip}

fer2013kit train "$data" --output emotions.fer --report report.html --no-faces \
  --checkpoint-dir checkpoint 2>&1 | tee -a train.log
for views in flip ten_crop; do
  fer2013kit evaluate emotions.fer "$data" --tta "$views" | tee "evaluation_$views.txt"
done
